# The search that we recommend, for small machines: B = 8. It changes three things of the paper's
# search (literal.py). After a round that is behind the best round, the next round starts from the
# best one. sigma is 0.1. One of the 8 candidates is a control, the same training without a search;
# its model is kept if it is the better one on D_v (kept_model.pth). The fourth stands in the head:
#     search_space=dict(type='amlfs_mm.SearchSpace', ceiling=True)
# t is then never above the identity.
_base_ = ['./literal.py']
loss_search = dict(
    replicas_per_candidate=1,
    num_candidates=8,
    control=True,
    go_back=True,
    policy=dict(sigma=0.1),
)
