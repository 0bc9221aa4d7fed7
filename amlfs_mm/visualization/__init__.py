from .gradient_plots import plot_gradients
from .loss_plots import plot_known_losses
from .search_figures import Picture, pictures_of_search
from .search_plots import plot_search

__all__ = [
    'Picture',
    'pictures_of_search',
    'plot_gradients',
    'plot_known_losses',
    'plot_search',
]
