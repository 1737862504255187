"""Residual networks (v1: normalised after the convolution, v2: before it), those with groups, and dual path networks."""


def _normed(graph, x, *arguments, **options):
    return graph.batch_norm(graph.conv(x, *arguments, bias=False, **options))


def _stem(graph, channels=64):
    return graph.conv(graph.input, channels, 7, stride=2, pad=3, bias=False)


def _end(graph, x, classes):
    graph.softmax(graph.dense(graph.pool(x, average=True), classes))


def _units(repeats):
    """(channels of the unit, stride) of all units."""
    for stage, count in enumerate(repeats):
        for i in range(count):
            yield 64 << stage, 2 if stage > 0 and i == 0 else 1


def resnet_v1(repeats, width=64, groups=1):
    """Of bottlenecks. `width`: channels of the middle convolution where the unit has 64; WRN doubles it, ResNeXt groups it."""
    def make(graph, classes):
        x = graph.pool(graph.relu(graph.batch_norm(_stem(graph))), 3, 2, 1)
        for channels, stride in _units(repeats):
            middle = channels * width // 64
            y = graph.relu(_normed(graph, x, middle, 1))
            y = graph.relu(_normed(graph, y, middle, 3, stride=stride, pad=1, groups=groups))
            y = _normed(graph, y, 4 * channels, 1)
            same = x.shape == y.shape
            x = graph.relu(graph.add(y, x if same else _normed(graph, x, 4 * channels, 1, stride=stride)))
        _end(graph, x, classes)

    return make


def resnet_v2(repeats, bottleneck=True):
    def active(graph, x):
        return graph.relu(graph.batch_norm(x))

    def unit(graph, x, channels, stride):
        out = 4 * channels if bottleneck else channels
        start = active(graph, x)
        shortcut = x if x.shape[0] == out and stride == 1 else graph.conv(start, out, 1, stride=stride, bias=False)
        if bottleneck:
            y = active(graph, graph.conv(start, channels, 1, bias=False))
            y = active(graph, graph.conv(y, channels, 3, stride=stride, pad=1, bias=False))
            return graph.add(graph.conv(y, out, 1, bias=False), shortcut)
        y = active(graph, graph.conv(start, out, 3, stride=stride, pad=1, bias=False))
        return graph.add(graph.conv(y, out, 3, pad=1, bias=False), shortcut)

    def make(graph, classes):
        x = graph.pool(active(graph, _stem(graph)), 3, 2, 1)
        for channels, stride in _units(repeats):
            x = unit(graph, x, channels, stride)
        _end(graph, active(graph, x), classes)

    return make


def resnext(repeats):
    """32 groups of 4 channels."""
    return resnet_v1(repeats, width=128, groups=32)


def dpn(first, bottleneck, grouped, repeats, growth):
    """A path that adds and a path that grows. `first`: channels and kernel of the first convolution; `bottleneck`: how much wider
    a unit's output is than its base; `grouped`: channels of its convolution of 32 groups where the base has 64."""
    def conv(graph, x, *arguments, **options):
        return graph.conv(graph.relu(graph.batch_norm(x, 1e-3)), *arguments, bias=False, **options)

    def halves(graph, x, at):
        return graph.slice(x, 0, at), graph.slice(x, at, x.shape[0])

    def unit(graph, paths, channels, middle, grown, stride):
        """`paths`: the two, or the one node that a stage begins with."""
        joined = graph.concat(*paths) if isinstance(paths, tuple) else paths
        y = conv(graph, joined, middle, 1)
        y = conv(graph, y, middle, 3, stride=stride, pad=1, groups=32)
        added, dense = halves(graph, conv(graph, y, channels + grown, 1), channels)
        old_added, old_dense = paths if isinstance(paths, tuple) else (None, None)
        if stride == 2 or old_added is None or old_added.shape != added.shape:
            old_added, old_dense = halves(graph, conv(graph, joined, channels + 2 * grown, 1, stride=stride), channels)
        return graph.add(old_added, added), graph.concat(old_dense, dense)

    def make(graph, classes):
        channels, kernel = first
        x = graph.conv(graph.input, channels, kernel, stride=2, pad=kernel // 2, bias=False)
        paths = graph.pool(graph.relu(graph.batch_norm(x, 1e-3)), 3, 2, 1)
        for stage, (count, grown) in enumerate(zip(repeats, growth)):
            for i in range(count):
                paths = unit(graph, paths, (64 << stage) * bottleneck, grouped << stage, grown, 2 if stage > 0 and i == 0 else 1)
        x = graph.relu(graph.batch_norm(graph.concat(*paths), 1e-3))
        _end(graph, x, classes)

    return make


dpn68 = dpn((10, 3), 1, 128, (3, 4, 12, 3), (16, 32, 32, 64))
dpn92 = dpn((64, 7), 4, 96, (3, 4, 20, 3), (16, 32, 24, 128))
