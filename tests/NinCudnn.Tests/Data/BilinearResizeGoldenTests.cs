using NinCudnn.Data;
using NinCudnn.Tests.Goldens;
using Xunit;

namespace NinCudnn.Tests.Data;

public class BilinearResizeGoldenTests
{
    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "resize_pil", MemberType = typeof(GoldenSet))]
    public void Resize_GoldenCase_EqualsPillow(string name)
    {
        var item = GoldenSet.Current[name];
        var (source, shape) = (item.Bytes("src"), item.Shape("src")); // (n, h, w)
        var outShape = item.Shape("y");
        var (n, height, width) = (shape[0], shape[1], shape[2]);

        var result = new byte[n * outShape[1] * outShape[2]];
        for (var i = 0; i < n; i++)
        {
            var image = source.AsSpan(i * height * width, height * width);
            BilinearResize.Resize(image, height, width, 1, outShape[1], outShape[2]).CopyTo(result, i * outShape[1] * outShape[2]);
        }

        Comparison.Check<byte>(result, item.Bytes("y"), outShape, item.Tolerance("y"), $"golden case {name}, y");
    }
}
