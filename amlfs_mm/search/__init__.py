"""The paper's section 3: loss functions as points theta, and the policy that samples them."""

from .branch_space import BranchSearchSpace
from .loss_file import find_loss
from .piecewise_linear import PiecewiseLinear
from .policy import GaussianPolicy, normalise_rewards
from .search_space import SearchSpace

__all__ = [
    'BranchSearchSpace',
    'GaussianPolicy',
    'PiecewiseLinear',
    'SearchSpace',
    'find_loss',
    'normalise_rewards',
]
