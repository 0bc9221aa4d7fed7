# Control for amlfs_sphereface20_orl.py at the same compute: 8 copies of AM-softmax with m = 0.35 in
# each epoch. The best on D_v goes on.
#   DATA_ROOT=... \
#       tools/dist_train.sh configs/small/orl_faces/best_of_b_am_softmax_sphereface20_orl.py 2
# Cost: that of amlfs_sphereface20_orl.py.
# Expected: no number yet.
_base_ = ['./from_am_softmax_sphereface20_orl.py']
loss_search = dict(policy=dict(sigma=0.0))
