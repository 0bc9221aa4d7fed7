"""The batched ways of the benchmark train what candidates in turn train."""

import importlib.util

from helpers.runs import ROOT

path = ROOT / 'benchmarks' / 'many_candidates.py'
spec = importlib.util.spec_from_file_location('many_candidates', path)
many_candidates = importlib.util.module_from_spec(spec)
spec.loader.exec_module(many_candidates)


def test_weights_and_statistics_are_those_of_candidates_in_turn():
    many_candidates.check_equality(2, 'cpu')
