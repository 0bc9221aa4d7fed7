# The paper's search, rewarded with rank-1 on the identities of D_v (section 4.1).
_base_ = ['./literal.py']
loss_search = dict(reward='face/rank1')
