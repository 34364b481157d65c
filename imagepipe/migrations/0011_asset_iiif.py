from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("imagepipe", "0010_alt_suggestions")]

    operations = [
        migrations.AddField(
            model_name="asset",
            name="iiif",
            field=models.BooleanField(default=False, verbose_name="open to viewers (IIIF)"),
        ),
    ]
