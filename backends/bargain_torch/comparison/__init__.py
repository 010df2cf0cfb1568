"""Compare ways to train one model on several losses, under one budget."""

from bargain_torch.comparison.bargains import Bargain, Learned
from bargain_torch.comparison.compare import compare
from bargain_torch.comparison.gradient_rules import GradientRule
from bargain_torch.comparison.loss_rules import Fixed, LossRule
from bargain_torch.comparison.plan import BUILT_IN
from bargain_torch.comparison.result import Comparison
from bargain_torch.comparison.run import Run
from bargain_torch.comparison.stepping import Losses, Memoryless, Method, Setting, Stepper

__all__ = [
    "BUILT_IN",
    "Bargain",
    "Comparison",
    "Fixed",
    "GradientRule",
    "Learned",
    "LossRule",
    "Losses",
    "Memoryless",
    "Method",
    "Run",
    "Setting",
    "Stepper",
    "compare",
]
