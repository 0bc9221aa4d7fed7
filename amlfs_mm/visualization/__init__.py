from .search_plots import plot_search

__all__ = ['plot_search']
