"""Pictures of losses, searches and re-identification models, drawn from records and tensors."""

from .gradient_plots import plot_gradients
from .loss_plots import plot_known_losses
from .search_plots import plot_search

__all__ = ['plot_gradients', 'plot_known_losses', 'plot_search']
