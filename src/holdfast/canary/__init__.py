"""The clients' truth in production: the client program, its durable ledger, the availability that follows, and a real incident's facts.

The lab's clients are the same program with other settings (`lab/clients`). Never here: deciding anything, or writing to a store by another
way than a customer's.
"""
