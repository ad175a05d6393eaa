"""What analyses share that look at the order of a subject's events: funnels, retention, paths.

Their `partial` keeps the few rows and columns that matter (`rows.reduced`), their `combine` keeps
all of those, and `finish` says who they belong to (`subjects.settled`) and puts them in order
(`order.in_order`). So late events, events in other parts and other groupings change nothing.
"""
