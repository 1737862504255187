"""Networks without batch normalisation: chains of convolutions, as Caffe's model zoo has them."""


def conv_relu(graph, x, *arguments, **options):
    return graph.relu(graph.conv(x, *arguments, **options))


def _caffe_pool(graph, x):
    return graph.pool(x, 3, 2, ceil=True)


def _fully_connected(graph, x, classes):
    for _ in range(2):
        x = graph.relu(graph.dense(x, 4096))
    return graph.dense(x, classes)


def _alexnet_features(graph, norm_first):
    """AlexNet normalises before it pools, CaffeNet after it."""
    def shrink(x):
        return _caffe_pool(graph, graph.lrn(x)) if norm_first else graph.lrn(_caffe_pool(graph, x))

    x = shrink(conv_relu(graph, graph.input, 96, 11, stride=4))
    x = shrink(conv_relu(graph, x, 256, 5, pad=2, groups=2))
    x = conv_relu(graph, x, 384, 3, pad=1)
    x = conv_relu(graph, x, 384, 3, pad=1, groups=2)
    return _caffe_pool(graph, conv_relu(graph, x, 256, 3, pad=1, groups=2))


def alexnet(graph, classes):
    graph.softmax(_fully_connected(graph, _alexnet_features(graph, norm_first=True), classes))


def caffenet(graph, classes):
    graph.softmax(_fully_connected(graph, _alexnet_features(graph, norm_first=False), classes))


def rcnn(graph, classes):
    """CaffeNet whose answers are the scores of detectors, not probabilities."""
    _fully_connected(graph, _alexnet_features(graph, norm_first=False), classes)


def nin(graph, classes):
    x = graph.input
    for channels, out, kernel, stride, pad in ((96, 96, 11, 4, 0), (256, 256, 5, 1, 2), (384, 384, 3, 1, 1), (1024, classes, 3, 1, 1)):
        x = conv_relu(graph, x, channels, kernel, stride=stride, pad=pad)
        x = conv_relu(graph, conv_relu(graph, x, channels, 1), out, 1)
        if channels != 1024:
            x = _caffe_pool(graph, x)
    graph.softmax(graph.flatten(graph.pool(x, average=True)))


def vgg(repeats):
    def make(graph, classes):
        x = graph.input
        for channels, count in zip((64, 128, 256, 512, 512), repeats):
            for _ in range(count):
                x = conv_relu(graph, x, channels, 3, pad=1)
            x = graph.pool(x, 2, 2)
        graph.softmax(_fully_connected(graph, x, classes))

    return make


vgg16, vgg19 = vgg((2, 2, 3, 3, 3)), vgg((2, 2, 4, 4, 4))


def squeezenet(first, fires):
    """`first`: channels and kernel of the first convolution; `fires`: squeezed channels, or None for a pool."""
    def make(graph, classes):
        x = _caffe_pool(graph, conv_relu(graph, graph.input, *first, stride=2))
        for squeezed in fires:
            if squeezed is None:
                x = _caffe_pool(graph, x)
                continue
            narrow = conv_relu(graph, x, squeezed, 1)
            x = graph.concat(conv_relu(graph, narrow, 4 * squeezed, 1), conv_relu(graph, narrow, 4 * squeezed, 3, pad=1))
        graph.softmax(graph.flatten(graph.pool(conv_relu(graph, x, classes, 1), average=True)))

    return make


squeezenet10 = squeezenet((96, 7), (16, 16, 32, None, 32, 48, 48, 64, None, 64))
squeezenet11 = squeezenet((64, 3), (16, 16, None, 32, 32, None, 48, 48, 64, 64))
