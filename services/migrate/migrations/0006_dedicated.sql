-- The size of which each instance has a place of its own; where that is, the worker's settings say.
INSERT INTO instances.sizes VALUES ('dedicated', 100000);
