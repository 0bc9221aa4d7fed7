"""The paper's section 3: loss functions as points theta, and the policy that samples them."""

from .branch_space import BranchSearchSpace
from .loss_file import find_loss, formulas
from .piecewise_linear import PiecewiseLinear
from .policy import GaussianPolicy, normalise_rewards
from .reward_filters import NullReward
from .search_space import SearchSpace

__all__ = [
    'BranchSearchSpace',
    'GaussianPolicy',
    'NullReward',
    'PiecewiseLinear',
    'SearchSpace',
    'find_loss',
    'formulas',
    'normalise_rewards',
]
