using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>The form in which cuDNN is given tensors.</summary>
/// <param name="Type">Element type.</param>
/// <param name="Layout">NHWC activations with KRSC filters, or NCHW with KCRS.</param>
internal readonly record struct TensorForm(DataType Type, cudnnTensorFormat_t Layout)
{
    /// <summary>The form of the operators' operands.</summary>
    public static TensorForm Native(DataType type) => new(type, cudnnTensorFormat_t.CUDNN_TENSOR_NHWC);

    /// <summary>In what forms a computation on operands of a type may be tried, best first: the other layout, then the wider type.</summary>
    public static TensorForm[] Candidates(DataType type)
    {
        TensorForm native = Native(type), wide = Native(DataType.Float32);
        TensorForm[] forms = [native, native.Nchw(), wide, wide.Nchw()];
        return [.. forms.Distinct()];
    }

    /// <summary>The same type in NCHW.</summary>
    public TensorForm Nchw() => this with { Layout = cudnnTensorFormat_t.CUDNN_TENSOR_NCHW };

    public override string ToString() => $"{Type} {(Layout == cudnnTensorFormat_t.CUDNN_TENSOR_NHWC ? "NHWC" : "NCHW")}";
}
