"""Logits and class weights: what heads are made of."""
