"""Who owns a dataset or job, as people say it by hand: it goes before what events told."""
