"""The training set as a product: photos to shards of examples with answers, on Ray Data."""
