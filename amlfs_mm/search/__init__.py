"""The paper's section 3: loss functions as points theta, and the policy that samples them.

:mod:`.protocols` has the interfaces that another search space, policy or reward filter needs.
"""

from .branch_space import BranchSearchSpace
from .cma_es_policy import CMAESPolicy
from .going_back import BestRounds, GoBackRule
from .loss_file import find_loss, formulas
from .monotone_space import MonotoneSearchSpace
from .piecewise_linear import CeiledLinear, PiecewiseLinear
from .policy import GaussianPolicy, normalise_rewards
from .reward_filters import IgnoreTies, NullReward
from .search_softmax_space import SearchSoftmaxSpace
from .search_space import SearchSpace
from .zoo_files import loss_path, zoo_names

__all__ = [
    'BestRounds',
    'BranchSearchSpace',
    'CMAESPolicy',
    'CeiledLinear',
    'GaussianPolicy',
    'GoBackRule',
    'IgnoreTies',
    'MonotoneSearchSpace',
    'NullReward',
    'PiecewiseLinear',
    'SearchSoftmaxSpace',
    'SearchSpace',
    'find_loss',
    'formulas',
    'loss_path',
    'normalise_rewards',
    'zoo_names',
]
