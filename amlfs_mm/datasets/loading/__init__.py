"""How samples reach the training loop: order, seeds, caches, images in memory."""
