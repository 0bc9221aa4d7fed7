# Control for amlfs_resnet8_characters.py at the same compute: 4 copies of plain softmax in each
# epoch. They differ in their data order alone. The best on D_v goes on.
#   DATA_ROOT=... tools/dist_train.sh configs/small/characters/best_of_b_resnet8_characters.py 2
# Cost: that of amlfs_resnet8_characters.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet8_characters.py']
loss_search = dict(policy=dict(sigma=0.0))
