"""Pictures of losses, searches, benchmarks and re-identification models, from plain numbers."""

from .benchmark_plots import plot_gains, plot_validation
from .gradient_plots import plot_gradients
from .loss_plots import plot_known_losses
from .search_plots import plot_search

__all__ = ['plot_gains', 'plot_gradients', 'plot_known_losses', 'plot_search', 'plot_validation']
