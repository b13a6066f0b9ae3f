"""What stage 2 teaches the tokens: labels that match the text, figures, and heads that can be read."""

import random

import torch
from test_reasoning_measure import photo

from veraretouch.engine.params import sample_params
from veraretouch.models.param_head import ParamHead
from veraretouch.models.perception import Perception
from veraretouch.models.tone import ToneEncoder
from veraretouch.models.vlm import IMAGE_TOKENS, ParamProjector, StyleProjector, Vision
from veraretouch.reasoning import FACTORS, Claim, compose
from veraretouch.reasoning.axes import LEAVE
from veraretouch.reasoning.compose import Plain
from veraretouch.reasoning.figures import BAND, COUNTS, LIGHT, figures
from veraretouch.reasoning.labels import NOTHING, SLOTS, classes, plan_labels
from veraretouch.train.tone import claim_loss

torch.set_num_threads(1)


def test_labels_name_the_claims_of_the_text_in_their_order():
    fields = {
        "plan.light": "Strongly brighten the picture and slightly lift the shadows",
        "plan.globalColor": "Leave the overall color as is",
        "plan.specificColor": "Moderately enrich the blues",
    }
    light, colour, single = plan_labels(fields)
    known = classes("light")
    assert light.tolist() == [known[Claim("exposure", 1, "strong")], known[Claim("shadows", 1, "slight")], NOTHING]
    assert colour.tolist() == [classes("globalColor")[LEAVE], NOTHING]
    assert single[0] == classes("specificColor")[Claim("saturation.blue", 1, "moderate")]
    for factor in FACTORS:
        assert sorted(classes(factor).values()) == list(range(len(classes(factor))))


def test_plain_text_says_the_same_claim_in_the_same_words():
    before = photo(300)
    bright = (before * 1.3).clamp(0, 1)
    texts = {compose(before, bright, Plain(), [], "auto")["plan.light"] for _ in range(3)}
    assert len(texts) == 1
    varied = {compose(before, bright, random.Random(i), [], "auto")["plan.light"] for i in range(8)}
    assert len(varied) > 3
    # Beside another claim the words stay: warming as well leaves the plan of light as it was.
    warm = (bright * torch.tensor([1.05, 1.0, 0.9])).clamp(0, 1)
    assert compose(before, warm, Plain(), [], "auto")["plan.light"].split()[1] == texts.pop().split()[1]


def test_figures_follow_the_pixels():
    dark, bright = figures(photo(400) * 0.4), figures(photo(400))
    assert dark.shape == (sum(COUNTS.values()),) and bool(torch.isfinite(dark).all())
    assert dark[list(LIGHT).index("median")] < bright[list(LIGHT).index("median")] - 1
    grey = figures(torch.rand(400, 1).expand(400, 3))
    assert float(grey[len(LIGHT) + 4 :].view(8, len(BAND))[:, 0].abs().max()) == 0


def test_a_token_alone_can_be_taught_a_plan():
    torch.manual_seed(0)
    vision = Vision(torch.nn.Identity(), ToneEncoder(width=8, hidden=32, latent=4), 32, 0.1, feature_size=20)
    projector = ParamProjector(ParamHead(4, 16), 4, 32, 0.1)
    model = Perception(vision, projector, StyleProjector(32, 0.1, width=16), 4, names=5)
    params = sample_params(24, torch.Generator().manual_seed(1))
    labels = [torch.randint(len(classes(f)), (24, SLOTS[f])) for f in SLOTS]
    tokens, seen, names = model.see(torch.randn(2, 9, 20), torch.rand(2, 3, 224, 224))
    assert tokens.shape == (2, IMAGE_TOKENS, 32) and model.factors(tokens).shape == (2, 3, 32) and seen.shape == (2, sum(COUNTS.values())) and names.shape == (2, 5)
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=5e-3)
    losses = []
    for _ in range(60):
        claims, latents = model.read(projector(params))
        loss = claim_loss(claims, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert latents.shape == (24, 3, 4)
    assert losses[-1] < 0.3 * losses[0]


def test_a_style_does_not_depend_on_its_padding():
    torch.manual_seed(1)
    projector = StyleProjector(32, 0.1, width=16).eval()
    words, photo = 0.1 * torch.randn(2, 9, 32), 0.1 * torch.randn(2, IMAGE_TOKENS, 32)
    mask = torch.ones(2, 9)
    mask[0, 5:] = 0
    batch = projector(words, photo, mask)
    alone = projector(words[:1, :5], photo[:1])
    torch.testing.assert_close(batch[:1], alone)
    assert float((batch[0] - batch[1]).abs().mean()) > 0.01
