"""Which training labels are wrong, by what a trained model says about them."""
