"""Déclarations d'intérêts (*liens d'intérêts*, *déport*): who may not see or decide a case, declared before it opens."""
