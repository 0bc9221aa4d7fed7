# The search that we recommend, for small machines: B = 8. It changes three things of the paper's
# search (literal.py). If a round is behind the best round, by more than twice the standard
# deviation of its own candidates, the next round starts from the best one. sigma is 0.1.
# One of the 8 candidates is a control, the same training without a search; its model is kept if it
# is the better one on D_v (kept_model.pth). The fourth stands in the head. For wrong labels tau
# alone is searched:
#     search_space=dict(type='amlfs_mm.SearchSpace', searched='tau')
# If a class is then never predicted, train the plain loss first: loss_search.warmup_epochs.
# For unseen identities both are, but t is never above the identity:
#     search_space=dict(type='amlfs_mm.SearchSpace', ceiling=True)
_base_ = ['./literal.py']
loss_search = dict(
    replicas_per_candidate=1,
    num_candidates=8,
    control=True,
    go_back=dict(tolerance=2, error='spread'),
    policy=dict(sigma=0.1),
)
