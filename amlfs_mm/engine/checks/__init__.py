"""What must hold before a run starts: each error names the thing, its value, and the cure.

:func:`check_run` holds for every run, :func:`check_search` for a search on top. A check that would
take long on a large data set looks at a sample of it.
"""

from .batch_norm import check_batch_norm
from .batches import (
    check_data_order,
    check_evaluation_data,
    check_iterations,
    check_listed_once,
    check_no_repetition,
    check_not_augmented,
    check_replicas,
    check_samplers,
    check_scored_fields,
    check_split,
)
from .checkpoint_hooks import check_checkpoints, check_earlier_search, check_resumable
from .hooks import check_hooks, check_switched_pipeline, check_switched_rounds
from .labels import (
    check_class_folders,
    check_concatenated,
    check_evaluated_classes,
    check_labels,
    check_num_classes,
)
from .run import check_evaluation, check_run, check_trained_classes
from .search import (
    check_epochs,
    check_hard_labels,
    check_held_out,
    check_kept_states,
    check_policy_state,
    check_resumed,
    check_resumed_options,
    check_reward,
    check_search,
    check_seeds,
    check_validation,
)
from .teaching import check_dev_data, check_one_process, check_student, check_teaching

__all__ = [
    'check_batch_norm',
    'check_checkpoints',
    'check_class_folders',
    'check_concatenated',
    'check_data_order',
    'check_dev_data',
    'check_earlier_search',
    'check_epochs',
    'check_evaluated_classes',
    'check_evaluation',
    'check_evaluation_data',
    'check_hard_labels',
    'check_held_out',
    'check_hooks',
    'check_iterations',
    'check_kept_states',
    'check_labels',
    'check_listed_once',
    'check_no_repetition',
    'check_not_augmented',
    'check_num_classes',
    'check_one_process',
    'check_policy_state',
    'check_replicas',
    'check_resumable',
    'check_resumed',
    'check_resumed_options',
    'check_reward',
    'check_run',
    'check_samplers',
    'check_scored_fields',
    'check_search',
    'check_seeds',
    'check_split',
    'check_student',
    'check_switched_pipeline',
    'check_switched_rounds',
    'check_teaching',
    'check_trained_classes',
    'check_validation',
]
