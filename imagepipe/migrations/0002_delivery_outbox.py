from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("imagepipe", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="publication",
            name="attempts",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="publication",
            name="retry_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="publication",
            name="stale_media",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.CreateModel(
            name="DeliveryLease",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("owner", models.CharField(blank=True, max_length=80)),
                ("until", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "delivery lease",
                "verbose_name_plural": "delivery leases",
            },
        ),
    ]
