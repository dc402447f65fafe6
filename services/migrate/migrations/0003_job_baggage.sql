-- The context of the request, W3C baggage, so that it crosses the queue as it crosses HTTP.
ALTER TABLE instances.jobs ADD COLUMN baggage text NOT NULL DEFAULT '';
