"""MMEngine's validation loop for batches that are a few tensors."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from mmengine.runner import ValLoop
from mmengine.runner.amp import autocast


class BatchValLoop(ValLoop):
    """Validates as MMEngine's loop does, but asks a batch of predictions for no data sample.

    MMEngine looks for losses in the last sample of each batch, and for the version of torch.
    """

    @torch.no_grad()
    def run_iter(self, idx: int, data_batch: dict) -> None:
        """Evaluate one batch."""
        from amlfs_mm.utils.lazy_data_samples import LazyDataSamples

        if not isinstance(data_batch.get('data_samples'), LazyDataSamples):
            super().run_iter(idx, data_batch)
            return
        self.runner.call_hook('before_val_iter', batch_idx=idx, data_batch=data_batch)
        with autocast(enabled=True) if self.fp16 else nullcontext():
            outputs = self.runner.model.val_step(data_batch)
        self.evaluator.process(data_samples=outputs, data_batch=data_batch)
        self.runner.call_hook(
            'after_val_iter', batch_idx=idx, data_batch=data_batch, outputs=outputs
        )
