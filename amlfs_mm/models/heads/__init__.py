from .amlfs_head import AMLFSHead

__all__ = ['AMLFSHead']
