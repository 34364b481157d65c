from __future__ import annotations

import django.db.models.deletion
import imagepipe.fields
import modelcluster.fields
import wagtail.fields
from django.db import migrations, models
from wagtail.images import get_image_model_string


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('wagtailcore', '0098_apitoken'),
        migrations.swappable_dependency(get_image_model_string()),
    ]

    operations = [
        migrations.CreateModel(
            name='ReportPage',
            fields=[
                ('page_ptr', models.OneToOneField(auto_created=True, on_delete=django.db.models.deletion.CASCADE, parent_link=True, primary_key=True, serialize=False, to='wagtailcore.page')),
                ('hero_use', models.JSONField(blank=True, default=dict, editable=False)),
                ('body', wagtail.fields.StreamField([('picture', 0)], blank=True, block_lookup={0: ('imagepipe.blocks.AIImageBlock', [], {})})),
                ('hero', imagepipe.fields.AIImageField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+')),
            ],
            options={
                'abstract': False,
            },
            bases=('wagtailcore.page',),
        ),
        migrations.CreateModel(
            name='Slide',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sort_order', models.IntegerField(blank=True, editable=False, null=True)),
                ('picture_use', models.JSONField(blank=True, default=dict, editable=False)),
                ('picture', imagepipe.fields.AIImageField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+')),
                ('page', modelcluster.fields.ParentalKey(on_delete=django.db.models.deletion.CASCADE, related_name='slides', to='imagepipe_fields.reportpage')),
            ],
            options={
                'ordering': ['sort_order'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Teaser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('live', models.BooleanField(default=True, editable=False, verbose_name='live')),
                ('has_unpublished_changes', models.BooleanField(default=False, editable=False, verbose_name='has unpublished changes')),
                ('first_published_at', models.DateTimeField(blank=True, db_index=True, null=True, verbose_name='first published at')),
                ('last_published_at', models.DateTimeField(editable=False, null=True, verbose_name='last published at')),
                ('go_live_at', models.DateTimeField(blank=True, null=True, verbose_name='go live date/time')),
                ('expire_at', models.DateTimeField(blank=True, null=True, verbose_name='expiry date/time')),
                ('expired', models.BooleanField(default=False, editable=False, verbose_name='expired')),
                ('hero_use', models.JSONField(blank=True, default=dict, editable=False)),
                ('title', models.CharField(max_length=80)),
                ('side_use', models.JSONField(blank=True, default=dict, editable=False)),
                ('hero', imagepipe.fields.AIImageField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', verbose_name='hero')),
                ('latest_revision', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='wagtailcore.revision', verbose_name='latest revision')),
                ('live_revision', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='wagtailcore.revision', verbose_name='live revision')),
                ('side', imagepipe.fields.AIImageField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', verbose_name='side')),
            ],
            options={
                'abstract': False,
            },
        ),
    ]
