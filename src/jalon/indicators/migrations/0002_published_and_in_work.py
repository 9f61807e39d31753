"""A validated value stays published while its correction is being written: one current version of each.

``rev`` counts the changes of a draft, so that two people who write the same value are told. The indexes
serve the board: the values of a round for fifty clusters, and the published series of a cluster.
"""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("indicators", "0001_initial")]

    operations = [
        migrations.AddField("observation", "rev", models.PositiveIntegerField(default=0)),
        migrations.RemoveConstraint("observation", "observation_one_current_version"),
        migrations.AddConstraint(
            "observation",
            models.UniqueConstraint(
                fields=["cluster", "indicator", "breakdown", "period_end"],
                condition=Q(superseded_at__isnull=True, state="validated"),
                name="observation_one_published",
            ),
        ),
        migrations.AddConstraint(
            "observation",
            models.UniqueConstraint(
                fields=["cluster", "indicator", "breakdown", "period_end"],
                condition=Q(superseded_at__isnull=True) & ~Q(state="validated"),
                name="observation_one_in_work",
            ),
        ),
        migrations.AddIndex(
            "observation",
            models.Index(fields=["round", "cluster", "breakdown"], name="observation_round_cluster"),
        ),
    ]
