-- The span that queued the job, W3C traceparent, so that its trace crosses the queue as well.
ALTER TABLE instances.jobs ADD COLUMN traceparent text NOT NULL DEFAULT '';
