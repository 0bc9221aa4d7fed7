# A-softmax, m = 4, on the ORL faces. Its lambda reaches its least value after a tenth of the run.
#   DATA_ROOT=... \
#       python tools/train.py configs/small/orl_faces/baseline_asoftmax_sphereface20_orl.py
# Cost: that of baseline_softmax_sphereface20_orl.py.
# Expected: no number yet.
_base_ = ['./baseline_softmax_sphereface20_orl.py']
margin = dict(type='amlfs_mm.ASoftmaxMargin', m=4, gamma=12.0)
model = dict(head=dict(scale='feature', margin=margin))
