# AM-LFS started at AM-softmax on ORL's faces.
#   DATA_ROOT=... tools/dist_train.sh configs/small/orl_faces/from_am_softmax_sphereface20_orl.py 2
# Cost: as amlfs_sphereface20_orl.py. Expected: docs/benchmarks.md.
_base_ = ['./amlfs_sphereface20_orl.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].mu_0 = dict(name='am_softmax', m=0.35)
