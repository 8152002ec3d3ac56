namespace NinCudnn.Data;

/// <summary>The data sets that NinCudnn knows by name.</summary>
public static class KnownDatasets
{
    private static readonly Uri _cifarAddress = new("https://www.cs.toronto.edu/~kriz/");

    /// <summary>Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017): 60,000 + 10,000 grey images of clothes, 28×28.</summary>
    public static IdxDataset FashionMnist { get; } = new()
    {
        Name = "fashion-mnist",
        Title = "Fashion-MNIST",
        Description = "60,000 + 10,000 grey images of clothes, 28×28",
        ClassNames = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
        BaseAddress = new Uri("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
        DebianPackage = "dataset-fashion-mnist",
        TrainImages = new("train-images-idx3-ubyte.gz", 47040016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        TrainLabels = new("train-labels-idx1-ubyte.gz", 60008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        TestImages = new("t10k-images-idx3-ubyte.gz", 7840016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        TestLabels = new("t10k-labels-idx1-ubyte.gz", 10008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    };

    /// <summary>MNIST (LeCun, Cortes and Burges, 1998): 60,000 + 10,000 grey images of handwritten digits, 28×28.</summary>
    public static IdxDataset Mnist { get; } = new()
    {
        Name = "mnist",
        Title = "MNIST",
        Description = "60,000 + 10,000 grey images of handwritten digits, 28×28",
        ClassNames = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        BaseAddress = new Uri("https://ossci-datasets.s3.amazonaws.com/mnist/"),
        TrainImages = new("train-images-idx3-ubyte.gz", 47040016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        TrainLabels = new("train-labels-idx1-ubyte.gz", 60008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        TestImages = new("t10k-images-idx3-ubyte.gz", 7840016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        TestLabels = new("t10k-labels-idx1-ubyte.gz", 10008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    };

    /// <summary>CIFAR-10 (Krizhevsky, 2009): 50,000 + 10,000 colour images of animals and vehicles, 32×32.</summary>
    public static CifarDataset Cifar10 { get; } = new()
    {
        Name = "cifar10",
        Title = "CIFAR-10",
        Description = "50,000 + 10,000 colour images of animals and vehicles, 32×32",
        ClassNames = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
        BaseAddress = _cifarAddress,
        Archive = new(
            "cifar-10-binary.tar.gz", 170052171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", "cifar-10-batches-bin"),
        TrainFiles = [.. Enumerable.Range(1, 5).Select(batch => new DatasetFile($"data_batch_{batch}.bin", 30730000))],
        TestFiles = [new("test_batch.bin", 30730000)],
    };

    /// <summary>CIFAR-100 (Krizhevsky, 2009): 50,000 + 10,000 colour images in 100 (fine) classes, 32×32.</summary>
    public static CifarDataset Cifar100 { get; } = new()
    {
        Name = "cifar100",
        Title = "CIFAR-100",
        Description = "50,000 + 10,000 colour images of things and beings, 32×32",
        CoarseClasses = 20,
        ClassNames =
        [
            "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle",
            "bowl", "boy", "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle",
            "chair", "chimpanzee", "clock", "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur",
            "dolphin", "elephant", "flatfish", "forest", "fox", "girl", "hamster", "house", "kangaroo", "keyboard",
            "lamp", "lawn_mower", "leopard", "lion", "lizard", "lobster", "man", "maple_tree", "motorcycle", "mountain",
            "mouse", "mushroom", "oak_tree", "orange", "orchid", "otter", "palm_tree", "pear", "pickup_truck", "pine_tree",
            "plain", "plate", "poppy", "porcupine", "possum", "rabbit", "raccoon", "ray", "road", "rocket",
            "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper", "snail", "snake", "spider",
            "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone", "television", "tiger", "tractor",
            "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf", "woman", "worm",
        ],
        BaseAddress = _cifarAddress,
        Archive = new("cifar-100-binary.tar.gz", 168513733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec", "cifar-100-binary"),
        TrainFiles = [new("train.bin", 153700000)],
        TestFiles = [new("test.bin", 30740000)],
    };

    /// <summary>All of them; the first is the default.</summary>
    public static IReadOnlyList<KnownDataset> All { get; } = [FashionMnist, Mnist, Cifar10, Cifar100];

    /// <summary>Returns the data set with a name.</summary>
    /// <param name="name">A <see cref="KnownDataset.Name"/>; upper and lower case are the same.</param>
    /// <exception cref="ArgumentException">There is none; the message lists the names.</exception>
    public static KnownDataset Get(string name) =>
        All.FirstOrDefault(dataset => string.Equals(dataset.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new ArgumentException(
            $"Unknown data set '{name}'; known are {string.Join(", ", All.Select(dataset => dataset.Name))}.", nameof(name));
}
