"""A comparison whose process dies in the middle of an epoch: `python -m …killed FOLDER STEPS`."""

import os
import sys

from bargain_torch.comparison import Bargain, Learned, LossRule, compare
from tests.backends.torch.comparison.problem import PROBLEM, losses

METHODS = {
    "nash": Bargain(every=2, decay=0.5),
    "learned": Learned("small", every=2),
    "famo": LossRule("famo"),
    "rlw": LossRule("rlw"),
}


def main(folder, steps):
    left = steps

    def mortal(model, rows):
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(9)
        return losses(model, rows)

    compare(**{**PROBLEM, "losses": mortal}, methods=METHODS, seeds=2, epochs=4, folder=folder)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
