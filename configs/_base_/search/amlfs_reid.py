# The paper's search, rewarded with the mAP on D_v (section 4.1).
_base_ = ['./literal.py']
loss_search = dict(reward='reid/mAP')
