"""Face images with identities, and pairs of them."""
