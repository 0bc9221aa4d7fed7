"""Face verification, identification and the MegaFace protocol."""
