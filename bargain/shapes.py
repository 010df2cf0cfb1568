"""The shapes that annotations speak of.

Annotations such as ``Float[Array, "*batch K K"]`` are jaxtyping's. The library must import fast and
needs no type checker at run time, so jaxtyping is used where the caller (a test run, a type
checker) has imported it, and costs nothing elsewhere.
"""

import sys
from typing import TYPE_CHECKING, Any

# An array of any library that follows the Array API standard.
Array = Any

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Int
else:

    class _AnyShape:
        def __class_getitem__(cls, item: object) -> object:
            return Any

    Bool = Float = Int = _AnyShape

__all__ = ["Array", "Bool", "Float", "Int"]
