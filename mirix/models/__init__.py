"""Chat models, embedders and text recognisers behind small protocols."""
