"""Networks that widen: GoogLeNet and what came of it. A branch is a list of steps, each a convolution or a pool."""
from networks.classic import conv_relu

TALL, WIDE = (7, 1), (1, 7)


def _same(kernel):
    return tuple((extent - 1) // 2 for extent in kernel) if isinstance(kernel, tuple) else (kernel - 1) // 2


def _branches(graph, x, conv, branches):
    """The concatenation of what all branches make of x. Steps: (channels, kernel[, stride]), where a stride means no padding, or a
    function of a node."""
    ends = []
    for steps in branches:
        end = x
        for step in steps:
            if callable(step):
                end = step(end)
            else:
                channels, kernel, *stride = step
                end = conv(end, channels, kernel, stride=stride[0]) if stride else conv(end, channels, kernel, pad=_same(kernel))
        ends.append(end)
    return graph.concat(*ends)


def _split(conv, x, channels, extent):
    """Two convolutions of the same input, one wide, one tall."""
    wide, tall = (1, extent), (extent, 1)
    return conv(x, channels, wide, pad=_same(wide)), conv(x, channels, tall, pad=_same(tall))


def _normed(graph, epsilon=1e-3, bias=False):
    def conv(x, *arguments, **options):
        return graph.relu(graph.batch_norm(graph.conv(x, *arguments, bias=bias, **options), epsilon))

    return conv


def _average(graph, count_pad=True):
    return lambda x: graph.pool(x, 3, 1, 1, average=True, count_pad=count_pad)


def _halve(graph):
    return lambda x: graph.pool(x, 3, 2)


def _end(graph, x, classes):
    graph.softmax(graph.dense(graph.pool(x, average=True), classes))


def googlenet(graph, classes):
    def conv(x, *arguments, **options):
        return conv_relu(graph, x, *arguments, **options)

    x = graph.lrn(graph.pool(conv(graph.input, 64, 7, stride=2, pad=3), 3, 2, ceil=True))
    x = graph.pool(graph.lrn(conv(conv(x, 64, 1), 192, 3, pad=1)), 3, 2, ceil=True)
    blocks = ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), None, (192, 96, 208, 16, 48, 64), (160, 112, 224, 24, 64, 64),
              (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64), (256, 160, 320, 32, 128, 128), None,
              (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128))
    for block in blocks:
        if block is None:
            x = graph.pool(x, 3, 2, ceil=True)
            continue
        one, to3, three, to5, five, pooled = block
        x = _branches(graph, x, conv, ([(one, 1)], [(to3, 1), (three, 3)], [(to5, 1), (five, 5)],
                                       [lambda y: graph.pool(y, 3, 1, 1), (pooled, 1)]))
    _end(graph, x, classes)


def inception_bn(graph, classes):
    """Its convolutions have a bias in front of the normalisation, as published."""
    conv = _normed(graph, epsilon=1e-5, bias=True)
    average, largest = _average(graph), lambda y: graph.pool(y, 3, 1, 1)

    def shrink(x, to3, three, to33, three3):
        strided = lambda channels: lambda y: conv(y, channels, 3, stride=2, pad=1)
        return _branches(graph, x, conv, ([(to3, 1), strided(three)], [(to33, 1), (three3, 3), strided(three3)],
                                          [lambda y: graph.pool(y, 3, 2, 1)]))

    def widen(x, one, to3, three, to33, three3, pool, pooled):
        return _branches(graph, x, conv, ([(one, 1)], [(to3, 1), (three, 3)], [(to33, 1), (three3, 3), (three3, 3)],
                                          [pool, (pooled, 1)]))

    x = graph.pool(conv(graph.input, 64, 7, stride=2, pad=3), 3, 2, ceil=True)
    x = graph.pool(conv(conv(x, 64, 1), 192, 3, pad=1), 3, 2, ceil=True)
    x = widen(x, 64, 64, 64, 64, 96, average, 32)
    x = widen(x, 64, 64, 96, 64, 96, average, 64)
    x = shrink(x, 128, 160, 64, 96)
    for sizes in ((224, 64, 96, 96, 128), (192, 96, 128, 96, 128), (160, 128, 160, 128, 160), (96, 128, 192, 160, 192)):
        x = widen(x, *sizes, average, 128)
    x = shrink(x, 128, 192, 192, 256)
    x = widen(x, 352, 192, 320, 160, 224, average, 128)
    x = widen(x, 352, 192, 320, 192, 224, largest, 128)
    _end(graph, x, classes)


def inception_v3(graph, classes):
    conv, average, halve = _normed(graph), _average(graph), _halve(graph)
    widen = lambda x, *branches: _branches(graph, x, conv, branches)
    x = conv(conv(conv(graph.input, 32, 3, stride=2), 32, 3), 64, 3, pad=1)
    x = halve(conv(conv(halve(x), 80, 1), 192, 3))
    for pooled in (32, 64, 64):
        x = widen(x, [(64, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)], [average, (pooled, 1)])
    x = widen(x, [(384, 3, 2)], [(64, 1), (96, 3), (96, 3, 2)], [halve])
    for c in (128, 160, 160, 192):
        x = widen(x, [(192, 1)], [(c, 1), (c, WIDE), (192, TALL)], [(c, 1), (c, TALL), (c, WIDE), (c, TALL), (192, WIDE)],
                  [average, (192, 1)])
    x = widen(x, [(192, 1), (320, 3, 2)], [(192, 1), (192, WIDE), (192, TALL), (192, 3, 2)], [halve])
    split = lambda y: graph.concat(*_split(conv, y, 384, 3))
    for _ in range(2):
        x = widen(x, [(320, 1)], [(384, 1), split], [(448, 1), (384, 3), split], [average, (192, 1)])
    _end(graph, x, classes)


def inception_v4(graph, classes):
    conv, average, halve = _normed(graph), _average(graph, count_pad=False), _halve(graph)
    widen = lambda x, *branches: _branches(graph, x, conv, branches)
    x = conv(conv(conv(graph.input, 32, 3, stride=2), 32, 3), 64, 3, pad=1)
    x = widen(x, [halve], [(96, 3, 2)])
    x = widen(x, [(64, 1), (96, 3, 1)], [(64, 1), (64, WIDE), (64, TALL), (96, 3, 1)])
    x = widen(x, [(192, 3, 2)], [halve])
    for _ in range(4):
        x = widen(x, [(96, 1)], [(64, 1), (96, 3)], [(64, 1), (96, 3), (96, 3)], [average, (96, 1)])
    x = widen(x, [(384, 3, 2)], [(192, 1), (224, 3), (256, 3, 2)], [halve])
    for _ in range(7):
        x = widen(x, [(384, 1)], [(192, 1), (224, WIDE), (256, TALL)], [(192, 1), (192, TALL), (224, WIDE), (224, TALL), (256, WIDE)],
                  [average, (128, 1)])
    x = widen(x, [(192, 1), (192, 3, 2)], [(256, 1), (256, WIDE), (320, TALL), (320, 3, 2)], [halve])
    split = lambda y: graph.concat(*_split(conv, y, 256, 3))
    for _ in range(3):
        x = widen(x, [(256, 1)], [(384, 1), split], [(384, 1), (448, (3, 1)), (512, (1, 3)), split], [average, (256, 1)])
    _end(graph, x, classes)


def inception_resnet_v2(graph, classes):
    conv, halve = _normed(graph), _halve(graph)
    widen = lambda x, *branches: _branches(graph, x, conv, branches)

    def residual(x, factor, *branches, last=False):
        out = graph.scale(graph.conv(widen(x, *branches), x.shape[0], 1), factor)
        return graph.add(x, out) if last else graph.relu(graph.add(x, out))

    x = conv(conv(conv(graph.input, 32, 3, stride=2), 32, 3), 64, 3, pad=1)
    x = halve(conv(conv(halve(x), 80, 1), 192, 3))
    x = widen(x, [(96, 1)], [(48, 1), (64, 5)], [(64, 1), (96, 3), (96, 3)], [_average(graph, count_pad=False), (64, 1)])
    for _ in range(10):
        x = residual(x, 0.17, [(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)])
    x = widen(x, [(384, 3, 2)], [(256, 1), (256, 3), (384, 3, 2)], [halve])
    for _ in range(20):
        x = residual(x, 0.1, [(192, 1)], [(128, 1), (160, WIDE), (192, TALL)])
    x = widen(x, [(256, 1), (384, 3, 2)], [(256, 1), (288, 3, 2)], [(256, 1), (288, 3), (320, 3, 2)], [halve])
    for i in range(10):
        last = i == 9
        x = residual(x, 1.0 if last else 0.2, [(192, 1)], [(192, 1), (224, (1, 3)), (256, (3, 1))], last=last)
    _end(graph, conv(x, 1536, 1), classes)


def xception(graph, classes):
    norm = lambda x: graph.batch_norm(x, 1e-3)

    def separable(x, channels):
        apart = graph.conv(x, x.shape[0], 3, pad=1, groups=x.shape[0], bias=False)
        return norm(graph.conv(apart, channels, 1, bias=False))

    def block(x, *widths, relu_first=True, stride=2):
        out = x
        for i, channels in enumerate(widths):
            out = separable(graph.relu(out) if i > 0 or relu_first else out, channels)
        if stride == 1:
            return graph.add(out, x)
        shortcut = norm(graph.conv(x, widths[-1], 1, stride=stride, bias=False))
        return graph.add(graph.pool(out, 3, stride, 1), shortcut)

    conv = _normed(graph)
    x = conv(conv(graph.input, 32, 3, stride=2), 64, 3)
    x = block(x, 128, 128, relu_first=False)
    x = block(block(x, 256, 256), 728, 728)
    for _ in range(8):
        x = block(x, 728, 728, 728, stride=1)
    x = block(x, 728, 1024)
    x = graph.relu(separable(graph.relu(separable(x, 1536)), 2048))
    _end(graph, x, classes)
