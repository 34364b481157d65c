from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imagepipe", "0011_asset_iiif")]

    operations = [
        migrations.AddField(
            model_name="assetversion",
            name="frames",
            field=models.PositiveIntegerField(default=1, verbose_name="frames"),
        ),
    ]
