"""The models by name."""

from models.autorec import AutoRec
from models.bayes import Bayes
from models.bias import Bias
from models.blend import Blend
from models.deep import DeepMF, Hybrid, Ncf, ResidualMF
from models.demographic import Demographic
from models.ease import Ease
from models.ials import Ials
from models.item_knn import ItemKNN
from models.mf import BiasedMF
from models.model import AnyModel
from models.pair import Pair
from models.popularity import Popularity
from models.products import Dot, SgdMF
from models.user_knn import UserKNN

MODELS: dict[str, type[AnyModel]] = {
    model.name: model
    for model in (
        Popularity,
        Bias,
        BiasedMF,
        Bayes,
        Blend,
        Demographic,
        UserKNN,
        ItemKNN,
        SgdMF,
        DeepMF,
        ResidualMF,
        Dot,
        Ncf,
        AutoRec,
        Hybrid,
        Pair,
        Ease,
        Ials,
    )
}
