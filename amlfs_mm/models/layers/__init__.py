"""Parts of heads and necks: logits, class weights, ranks, and checks of their inputs.

Imports go one way in this package: losses < layers < backbones, necks < heads < classifiers.
"""
