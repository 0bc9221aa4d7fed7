# Control: best-of-B of the plain loss, s = 30, on ORL's faces; the search's compute.
#   DATA_ROOT=... tools/dist_train.sh configs/small/orl_faces/best_of_b_sphereface20_orl.py 2
# Cost: as amlfs_sphereface20_orl.py. Expected: docs/benchmarks.md.
_base_ = ['./amlfs_sphereface20_orl.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].policy.sigma = 0.0
