"""Person images with identities and cameras."""
