"""Networks that give a training step its loss (L2T-DLF)."""

from .attention_teacher import AttentionTeacher
from .lstm_teacher import LSTMTeacher

__all__ = ['AttentionTeacher', 'LSTMTeacher']
