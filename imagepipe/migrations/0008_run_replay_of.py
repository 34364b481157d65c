from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imagepipe", "0007_named_crops")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="replay_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="replays",
                to="imagepipe.assetversion",
            ),
        ),
    ]
