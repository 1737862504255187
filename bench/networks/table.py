"""The paper's networks: 31 small and 8 large, in their true architectures and sizes.

Of ResNet the paper has 50, 101 and 152 layers in both versions, 18, 34, 200 and 269 in the second only, and one of 152 layers with
11 221 classes. ImageNet's classes number 1000.
"""
import dataclasses
import difflib
from collections.abc import Callable

from networks import classic, inception, residual
from networks.graph import Graph

# Where published numbers of learned parameters come from.
CAFFE = "Caffe's model zoo: the sum over the layers of its deploy.prototxt"
IMGCLSMOB = "github.com/osmr/imgclsmob, the README's tables of pretrained models (Params)"
TIMM = "github.com/huggingface/pytorch-image-models, results/model_metadata-in1k.csv and the model's card"
TORCHVISION = "pytorch.org/vision/stable/models.html (num_params)"
GROWN = "VGG's or AlexNet's own number, and what its first fully connected layer grows by"


@dataclasses.dataclass(frozen=True)
class Network:
    name: str
    make: Callable  # of a Graph and the number of classes
    pixels: int
    published: int  # learned parameters
    source: str
    classes: int = 1000
    large: bool = False

    @property
    def input_shape(self):
        return (3, self.pixels, self.pixels)

    def graph(self):
        graph = Graph(self.input_shape)
        self.make(graph, self.classes)
        return graph


ALEXNET, VGG16, RESNET152 = 60_965_224, 138_357_544, 60_192_808


def grown(parameters, channels, side, grown_side):
    """Of a first fully connected layer (4096 outputs) that a map of grown_side² instead of side² reaches."""
    return parameters + channels * 4096 * (grown_side**2 - side**2)


SMALL = (
    Network("alexnet", classic.alexnet, 227, ALEXNET, CAFFE),
    Network("caffenet", classic.caffenet, 227, ALEXNET, CAFFE),
    Network("rcnn-ilsvrc13", classic.rcnn, 227, ALEXNET - 800 * 4097, CAFFE, classes=200),
    Network("nin", classic.nin, 224, 7_595_176, CAFFE),
    Network("squeezenet-1.0", classic.squeezenet10, 227, 1_248_424, IMGCLSMOB),
    Network("squeezenet-1.1", classic.squeezenet11, 227, 1_235_496, IMGCLSMOB),
    Network("vgg16", classic.vgg16, 224, VGG16, IMGCLSMOB),
    Network("vgg19", classic.vgg19, 224, 143_667_240, IMGCLSMOB),
    Network("googlenet", inception.googlenet, 224, 6_998_552, CAFFE),
    Network("inception-bn", inception.inception_bn, 224, 11_295_240, IMGCLSMOB),
    Network("inception-v3", inception.inception_v3, 299, 23_834_568, IMGCLSMOB),
    Network("inception-v4", inception.inception_v4, 299, 42_679_816, IMGCLSMOB),
    Network("inception-resnet-v2", inception.inception_resnet_v2, 299, 55_843_464, IMGCLSMOB),
    Network("xception", inception.xception, 299, 22_855_952, IMGCLSMOB),
    Network("resnet50", residual.resnet_v1((3, 4, 6, 3)), 224, 25_557_032, IMGCLSMOB),
    Network("resnet101", residual.resnet_v1((3, 4, 23, 3)), 224, 44_549_160, IMGCLSMOB),
    Network("resnet152", residual.resnet_v1((3, 8, 36, 3)), 224, RESNET152, IMGCLSMOB),
    Network("resnet152-11k", residual.resnet_v1((3, 8, 36, 3)), 224, RESNET152 + 10_221 * 2049, IMGCLSMOB, classes=11_221),
    Network("resnet18-v2", residual.resnet_v2((2, 2, 2, 2), bottleneck=False), 224, 11_687_848, IMGCLSMOB),
    Network("resnet34-v2", residual.resnet_v2((3, 4, 6, 3), bottleneck=False), 224, 21_796_008, IMGCLSMOB),
    Network("resnet50-v2", residual.resnet_v2((3, 4, 6, 3)), 224, 25_549_480, IMGCLSMOB),
    Network("resnet101-v2", residual.resnet_v2((3, 4, 23, 3)), 224, 44_541_608, IMGCLSMOB),
    Network("resnet152-v2", residual.resnet_v2((3, 8, 36, 3)), 224, 60_185_256, IMGCLSMOB),
    Network("resnet200-v2", residual.resnet_v2((3, 24, 36, 3)), 224, 64_666_280, IMGCLSMOB),
    Network("resnet269-v2", residual.resnet_v2((3, 30, 48, 8)), 224, 102_065_832, IMGCLSMOB),
    Network("resnext26", residual.resnext((2, 2, 2, 2)), 224, 15_389_480, IMGCLSMOB),
    Network("resnext50", residual.resnext((3, 4, 6, 3)), 224, 25_028_904, TORCHVISION),
    Network("resnext101", residual.resnext((3, 4, 23, 3)), 224, 44_177_704, IMGCLSMOB),
    Network("dpn68", residual.dpn68, 224, 12_611_602, IMGCLSMOB),
    Network("dpn92", residual.dpn92, 224, 37_668_392, TIMM),
    Network("wrn50-2", residual.resnet_v1((3, 4, 6, 3), width=128), 224, 68_883_240, TORCHVISION),
)

LARGE = (
    *(Network(f"alexnet-{pixels}", classic.alexnet, pixels, grown(ALEXNET, 256, 6, side), GROWN, large=True)
      for pixels, side in ((227, 6), (454, 13), (681, 21), (908, 28))),
    *(Network(f"vgg16-{pixels}", classic.vgg16, pixels, grown(VGG16, 512, 7, side), GROWN, large=True)
      for pixels, side in ((224, 7), (448, 14), (672, 21), (896, 28))),
)

NETWORKS = {network.name: network for network in (*SMALL, *LARGE)}


class UnknownNetwork(ValueError):
    pass


def named(name):
    if name in NETWORKS:
        return NETWORKS[name]
    near = difflib.get_close_matches(name, NETWORKS, n=1, cutoff=0.4)
    advice = f"did you mean '{near[0]}'? " if near else ""
    raise UnknownNetwork(f"unknown network '{name}': {advice}There are {', '.join(NETWORKS)}")
