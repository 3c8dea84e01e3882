"""How it is written: operations as data, one subgraph for all six managers, one applying transaction."""
